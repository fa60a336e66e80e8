"""daywatch inside orchestrators and dbt; each module wants its own package installed, and nothing else imports them."""
