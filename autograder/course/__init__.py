"""The course as it lies in the repository, and what is made of it for students: release and zips."""
