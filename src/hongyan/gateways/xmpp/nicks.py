"""What occupants of rooms are called."""


def nickname(id: str, name: str | None) -> str:
    """`Display Name (id)`, so that no two are called the same; the id alone where both are the same."""
    return id if name is None or name == id else f"{name} ({id})"
