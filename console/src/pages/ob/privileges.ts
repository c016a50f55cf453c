// SPDX-License-Identifier: Apache-2.0
// What can be granted in a tenant of MySQL mode, by where. A browser test compares it with the server's.
const EVERYWHERE = [
  'ALTER',
  'CREATE',
  'DELETE',
  'DROP',
  'INSERT',
  'SELECT',
  'UPDATE',
  'INDEX',
  'CREATE_VIEW',
  'SHOW_VIEW',
  'REFERENCES',
  'TRIGGER',
  'EXECUTE',
  'ALTER_ROUTINE',
  'GRANT_OPTION',
];

export const DATABASE_PRIVILEGES = [...EVERYWHERE, 'CREATE_ROUTINE', 'LOCK_TABLES', 'EVENT'];

export const GLOBAL_PRIVILEGES = [
  ...DATABASE_PRIVILEGES,
  'CREATE_USER',
  'PROCESS',
  'SUPER',
  'SHOW_DATABASES',
  'FILE',
  'ALTER_SYSTEM',
  'ALTER_TENANT',
  'REPLICATION_SLAVE',
  'REPLICATION_CLIENT',
  'CREATE_TABLESPACE',
  'SHUTDOWN',
  'RELOAD',
  'CREATE_ROLE',
  'DROP_ROLE',
  'CREATE_RESOURCE_POOL',
  'CREATE_RESOURCE_UNIT',
  'CREATE_DATABASE_LINK',
  'DROP_DATABASE_LINK',
  'CREATE_AI_MODEL',
  'ALTER_AI_MODEL',
  'DROP_AI_MODEL',
  'ACCESS_AI_MODEL',
];

const TABLE = EVERYWHERE.filter((p) => p !== 'EXECUTE' && p !== 'ALTER_ROUTINE');
const ROUTINE = ['EXECUTE', 'ALTER_ROUTINE', 'GRANT_OPTION'];

/** On an object of this type: TABLE, VIEW or STORED_PROCEDURE. */
export const objectPrivileges = (type: string | undefined) =>
  type === undefined || type === 'TABLE' || type === 'VIEW' ? TABLE : ROUTINE;

export const asOptions = (list: readonly string[]) =>
  list.map((value) => ({ value, label: value.replaceAll('_', ' ') }));
