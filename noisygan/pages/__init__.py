"""What all pages of this house share: the document, its style, and plots as markup."""
