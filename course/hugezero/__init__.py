"""A small machine in Python on which to rebuild how Linux shares a page of zeroes.

A lab starts with `from hugezero.notebook import *`.
"""
