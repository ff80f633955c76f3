"""`Organization`: an id of an AWS organization, or a path of units in one."""


class Organization:
    """`o-id`, or `o-id/r-root/ou-unit/...`; `error` is True for anything else."""

    def __init__(self, text):
        organization, *rest = text.split("/")
        self.organization = self.root = None
        self.ou_path = []
        self.valid_for_child_ous = self.valid_for_parent_ou = False
        self.valid_for_all_ous = True
        self.error = not (organization.startswith("o-") or organization == "*")
        if self.error:
            return
        self.organization = organization
        if rest:
            self._read_root(rest[0])
        for unit in rest[1:]:
            if self.error:
                return
            self._read_unit(unit)

    def _read_root(self, root):
        self.error = not (root.startswith("r-") or root == "*")
        if not self.error:
            self.root = root

    def _read_unit(self, unit):
        if self.valid_for_parent_ou or self.valid_for_child_ous:
            # Nothing may follow the end of a path.
            self.error = True
        elif unit in ("", "*", "ou-*"):
            self.valid_for_parent_ou = unit != "ou-*"
            self.valid_for_child_ous = unit != ""
        else:
            self.valid_for_all_ous = False
            self.error = not unit.startswith("ou-")
            if not self.error:
                self.ou_path.append(unit)
