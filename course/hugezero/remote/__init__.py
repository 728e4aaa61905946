"""The judge's questions and a student's process: what they say to each other, and who answers."""
