"""A reader of pickles from elsewhere: it makes plain data and the numbers of official files, and runs nothing."""

from ntknas.pickles.loading import load, load_stream
from ntknas.pickles.machine import PickleMachine
from ntknas.pickles.rebuilders import ARRAYS, REBUILDERS, ByteArray
from ntknas.pickles.records import Record, RecordClass

__all__ = ["ARRAYS", "REBUILDERS", "ByteArray", "PickleMachine", "Record", "RecordClass", "load", "load_stream"]
