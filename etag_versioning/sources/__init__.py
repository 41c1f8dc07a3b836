"""What a tag is made of: rows, files, revisions, or several of them."""
