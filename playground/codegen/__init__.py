"""Protocol and catalogue as TypeScript, so that the page is type-checked against the server's own declarations."""
