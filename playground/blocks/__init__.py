"""Every kind of block, a folder each; ``registry`` finds them. See docs/guides/add-a-block.md."""
