"""Options of the kernel, and the commands that set them on each family of distributions."""

from __future__ import annotations

from typing import Final

from multifd.device.sysfs import Host

REBOOT: Final = "# then reboot"
_DEFAULTS: Final = "/etc/default/grub"


def set_option(host: Host, option: str) -> str:
    """The commands that set a kernel option for good, whatever its name has been set to before.

    Fedora keeps options in its boot entries, which grubby(8) edits; Debian and SUSE make a new configuration from
    ``/etc/default/grub`` (grub-mkconfig(8)).
    """
    name, _, _ = option.partition("=")
    edit = (
        f'sed -i -E \'/^GRUB_CMDLINE_LINUX=/{{s/ *{name}=[^ "]*//; s/"$/ {option}"/}}\' {_DEFAULTS}'
        f"\n# {_DEFAULTS} must say {option} once"
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
