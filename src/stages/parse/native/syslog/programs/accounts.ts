import { firstMatch, template } from '../template.ts'
import type { Program } from './program.ts'

const TEMPLATES = [
  template('new user: name={target_user}, UID={uid}, GID={gid}, home={_...}', { action: 'user_added' }),
  template('new group: name={target_group}, GID={gid}', { action: 'group_added' }),
  template("delete user '{target_user}'", { action: 'user_deleted' }),
  template("removed group '{target_group}' owned by {_...}", { action: 'group_deleted' }),
  template("add '{target_user}' to group '{target_group}'", { action: 'group_member_added' }),
  template("add '{target_user}' to shadow group '{target_group}'", { action: 'group_member_added' }),
  template('user {target_user} added by {user} to group {target_group}', { action: 'group_member_added' }),
  template("change user '{target_user}' password", { action: 'password_changed' }),
  template("password for '{target_user}' changed by '{user}'", { action: 'password_changed' }),
]

/** The tools of shadow that change users and groups. */
export const accounts: Program = {
  names: ['useradd', 'userdel', 'usermod', 'groupadd', 'groupdel', 'groupmod', 'gpasswd', 'passwd', 'chpasswd', 'adduser'],
  read: (message) => firstMatch(TEMPLATES, message),
}
