"""What may be shown of a table's rows, and how numbers are written."""
