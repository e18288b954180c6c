"""What a pickle has numbered, so that it can refer to it again."""

from __future__ import annotations

from array import array

from ntknas.pickles.memory import ITEM, NUMBERED, TEXT, PickleMemory


class _Gone:
    """Stands for an object that was let go."""

    def __repr__(self) -> str:
        return "an object that several entries share"


GONE = _Gone()


class _TextNumbers(dict[bytes, int]):
    """Numbers of texts, each text kept once."""

    def __init__(self, memory: PickleMemory) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._memory = memory

    def __missing__(self, content: bytes) -> int:
        self._memory.keep(TEXT + 2 * len(content))
        self.texts.append(content.decode("utf-8", "surrogatepass"))  # as Python's pickler writes texts
        self[content] = number = len(self.texts) - 1
        return number


class Memo:
    """The numbered objects of one pickle, of which texts are kept to the end and others may be let go.

    Args:
        memory: Counts what is kept here.

    Attributes:
        numbers: By the bytes of a text, its number among the texts.
        texts: The texts, by that number.
        entries: By the number that the pickle gave, the number of a text, or −1 minus the number of an object: four
            bytes each, since NAS-Bench-201 numbers some hundred million texts.
        objects: The other objects, by number; what was let go is missing.
        object_count: How many objects there were, with those that were let go.
    """

    def __init__(self, memory: PickleMemory) -> None:
        self._memory = memory
        self.numbers = _TextNumbers(memory)
        self.texts = self.numbers.texts
        self.entries = array("i")
        self.objects: dict[int, object] = {}
        self.object_count = 0

    def __len__(self) -> int:
        return len(self.entries)

    def intern(self, content: bytes) -> str:
        """Return the text that these bytes are, the same object for the same bytes."""
        return self.texts[self.numbers[content]]

    def put(self, number: int, value: object) -> None:
        """Number an object.

        Args:
            number: The number.
            value: The object.

        Raises:
            ValueError: If the number is not the next one.
        """
        if number != len(self.entries):
            raise ValueError(f"object {number} is numbered out of order")
        if type(value) is str:
            self._memory.keep(ITEM)
            self.entries.append(self.numbers[value.encode("utf-8", "surrogatepass")])
            return
        if type(value) in (dict, list, set, tuple):
            self._memory.hold(NUMBERED)
        else:
            self._memory.keep(NUMBERED)
        self.objects[self.object_count] = value
        self.object_count += 1
        self.entries.append(-self.object_count)

    def get(self, number: int) -> object:
        """Return the object of a number, or ``GONE`` if it was let go."""
        entry = self.entries[number]
        return self.texts[entry] if entry >= 0 else self.objects.get(-entry - 1, GONE)

    def let_go(self, finished: dict[object, object], first: int) -> None:
        """Forget a dictionary and the containers built for it, from the object ``first`` on.

        Numbers stay: they are few, and entries that come later may share them.
        """
        for number in [*range(first, self.object_count), first - 1]:  # the dictionary is numbered before its items
            value = self.objects.get(number)
            if value is finished or (number >= first and isinstance(value, dict | list | set)):
                del self.objects[number]
