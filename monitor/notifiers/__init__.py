"""One file a channel; found by the scheme of the channel's name (`console`, `folder:alerts`), imported when used."""
