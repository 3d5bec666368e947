"""What the audit log says of an import."""

from app.tabular import ImportResult


def counts_of(result: ImportResult) -> dict[str, int]:
    """Rows by what became of them."""
    return {
        "inserted": result.inserted,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "refused": result.set_aside.rows if result.set_aside else 0,
    }
