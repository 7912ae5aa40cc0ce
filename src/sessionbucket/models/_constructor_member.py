"""Names that are a constructor on the class and a stored member on its instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

ConstructorT = TypeVar("ConstructorT")
MemberT = TypeVar("MemberT")


class ConstructorMember(Generic[ConstructorT, MemberT]):
    """Gives a member's name a second meaning on the class: a constructor.

    The reference has both ``VerificationCheck::required(id, ...)`` and a stored member ``required``.
    This descriptor answers on the class only. It is a non-data descriptor, so an instance's own
    ``__dict__``, where pydantic keeps members, comes first.

    Declare it for the type checker, declare the member for pydantic, and install it below the class::

        class Check(WireModel):
            if TYPE_CHECKING:
                required: ConstructorMember[Callable[..., Check], bool] = ConstructorMember()
            else:
                required: bool = False

        ConstructorMember.install(Check, required="required_check")
    """

    def __init__(self, constructor: str = "") -> None:
        self._constructor = constructor
        self._name = constructor

    @staticmethod
    def install(owner: type, **constructors: str) -> None:
        """Let each member of ``owner`` named on the left also be the classmethod named on the right."""
        for name, constructor in constructors.items():
            descriptor = ConstructorMember[Any, Any](constructor)
            descriptor._name = name
            setattr(owner, name, descriptor)

    @overload
    def __get__(self, instance: None, owner: type) -> ConstructorT: ...
    @overload
    def __get__(self, instance: object, owner: type) -> MemberT: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        # While pydantic collects a subclass's members, what it finds under a member's name on the
        # class would become that member's default.
        if instance is not None or "__pydantic_fields__" not in owner.__dict__:
            raise AttributeError(self._name)
        return getattr(owner, self._constructor)

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: MemberT) -> None: ...
