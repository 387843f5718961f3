from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BaseCommand(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOGIN_REQUEST: _ClassVar[BaseCommand]
    MESSAGE: _ClassVar[BaseCommand]
    PING: _ClassVar[BaseCommand]
    OFFLINE: _ClassVar[BaseCommand]
LOGIN_REQUEST: BaseCommand
MESSAGE: BaseCommand
PING: BaseCommand
OFFLINE: BaseCommand

class Request(_message.Message):
    __slots__ = ("reqMsg", "requestId", "cmd", "properties", "batchReqMsg")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQMSG_FIELD_NUMBER: _ClassVar[int]
    REQUESTID_FIELD_NUMBER: _ClassVar[int]
    CMD_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    BATCHREQMSG_FIELD_NUMBER: _ClassVar[int]
    reqMsg: str
    requestId: int
    cmd: BaseCommand
    properties: _containers.ScalarMap[str, str]
    batchReqMsg: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, reqMsg: _Optional[str] = ..., requestId: _Optional[int] = ..., cmd: _Optional[_Union[BaseCommand, str]] = ..., properties: _Optional[_Mapping[str, str]] = ..., batchReqMsg: _Optional[_Iterable[str]] = ...) -> None: ...

class Response(_message.Message):
    __slots__ = ("resMsg", "responseId", "cmd", "properties", "batchResMsg")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RESMSG_FIELD_NUMBER: _ClassVar[int]
    RESPONSEID_FIELD_NUMBER: _ClassVar[int]
    CMD_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    BATCHRESMSG_FIELD_NUMBER: _ClassVar[int]
    resMsg: str
    responseId: int
    cmd: BaseCommand
    properties: _containers.ScalarMap[str, str]
    batchResMsg: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, resMsg: _Optional[str] = ..., responseId: _Optional[int] = ..., cmd: _Optional[_Union[BaseCommand, str]] = ..., properties: _Optional[_Mapping[str, str]] = ..., batchResMsg: _Optional[_Iterable[str]] = ...) -> None: ...
