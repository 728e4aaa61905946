"""Block storage: bios, and the disk that carries them out."""
