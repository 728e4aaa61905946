"""The memory map: who maps what at a moment, as a drawing, as text, and in a sentence."""
