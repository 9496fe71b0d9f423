"""Options of the kernel, and the commands that set them on each family of distributions."""

from __future__ import annotations

from typing import Final

from multifd.device.sysfs import Host

REBOOT: Final = "# then reboot"
_DEFAULTS: Final = "/etc/default/grub"
_BOTH: Final = r'"\x27'
"""Both quotes, as a script of sed within single quotes may have them."""
_QUOTE: Final = f"[{_BOTH}]"


def set_option(host: Host, option: str) -> str:
    """The commands that set a kernel option for good, whatever its name has been set to before.

    Fedora keeps options in its boot entries, which grubby(8) edits; Debian and SUSE make a new configuration from
    ``/etc/default/grub`` (grub-mkconfig(8)).
    """
    name, _, _ = option.partition("=")
    edit = (
        f"sed -i -E '/^GRUB_CMDLINE_LINUX=/{{:a;s/({_QUOTE}| ){name}(=[^ {_BOTH}]*)?( +|({_QUOTE}))/\\1\\4/;ta;"
        f"s/ *({_QUOTE})[[:space:]]*$/ {option}\\1/}}' {_DEFAULTS}\n"
        f"# see that GRUB_CMDLINE_LINUX in {_DEFAULTS} says {option} once, between its quotes: grep CMDLINE {_DEFAULTS}"
    )
    match host.distribution:
        case "fedora":
            commands = f"grubby --update-kernel=ALL --args={option}"
        case "debian":
            commands = f"{edit}\nupdate-grub"
        case "suse":
            commands = f"{edit}\ngrub2-mkconfig -o /boot/grub2/grub.cfg"
        case None:
            commands = f"# add {option} to the options of the kernel, as this distribution does it"
    return f"{commands}\n{REBOOT}"
