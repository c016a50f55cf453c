// SPDX-License-Identifier: Apache-2.0
// What a user, or a role, may do in its tenant: parts that are saved each by itself. Users have one more, on databases.
import type { ReactNode } from 'react';

import type { ApiError } from '../../api/call';
import { useGet } from '../../api/hooks';
import type { Body, Data } from '../../api/types';
import { ErrorView } from '../../parts/error-view';
import { Field } from '../../parts/field';
import { Loading } from '../../parts/loading';
import { useAction } from '../../parts/use-action';
import { useWords } from '../../words';
import {
  choicesOf,
  DatabaseRows,
  type DbPrivilege,
  GlobalSelect,
  type ObjectChoice,
  ObjectRows,
  objectPrivilegesBody,
  PrivilegeSection,
  privilegeWords,
  Several,
  useObjects,
  useRoleOptions,
} from './privilege-parts';
import { type Of, tenantPath } from './tenant-of';

const USERS = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/users';
const ROLES = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/roles';
const USER = `${USERS}/{username}` as const;
const ROLE = `${ROLES}/{roleName}` as const;

interface Action<B> {
  running: boolean;
  error: ApiError | null;
  save: (body: B) => void;
}

interface Holder {
  of: Of;
  /** What it may do now. */
  now: Pick<Data<'get', typeof USER>, 'globalPrivileges' | 'objectPrivileges' | 'grantedRoles'>;
  /** Roles that it may be granted. */
  without?: string;
  global: Action<Body<'post', `${typeof USER}/modifyGlobalPrivilege`>>;
  objects: Action<Body<'post', `${typeof USER}/modifyObjectPrivilege`>>;
  role: Action<Body<'post', `${typeof USER}/modifyRole`>>;
  children?: ReactNode;
}

function Sections({ of, now, without, global, objects, role, children }: Holder) {
  const w = useWords(privilegeWords);
  const roles = useRoleOptions(of, true).filter((r) => r.value !== without);
  const known = useObjects(of, true);
  return (
    <>
      <PrivilegeSection<{ globalPrivileges: string[] }>
        title={w.global}
        initial={{ globalPrivileges: now.globalPrivileges }}
        action={global}
        onSubmit={global.save}
      >
        <Field name="globalPrivileges" label={w.privileges}>
          <GlobalSelect />
        </Field>
      </PrivilegeSection>
      {children}
      <PrivilegeSection<{ objects: ObjectChoice[] }>
        title={w.ofObjects}
        help={w.objectsHelp}
        initial={{ objects: choicesOf(now.objectPrivileges) }}
        action={objects}
        onSubmit={(v) =>
          objects.save({ objectPrivileges: objectPrivilegesBody(v.objects, known, now.objectPrivileges) })
        }
      >
        <ObjectRows objects={known} />
      </PrivilegeSection>
      <PrivilegeSection<{ roles: string[] }>
        title={w.granted}
        initial={{ roles: now.grantedRoles }}
        action={role}
        onSubmit={role.save}
      >
        <Field name="roles" label={w.granted}>
          <Several options={roles} />
        </Field>
      </PrivilegeSection>
    </>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: ApiError | null;
  refetch: () => Promise<unknown>;
}

/* The one that was asked for, once it is there. */
function Got<T>({ got, children }: { got: Asked<T>; children: (data: T) => ReactNode }) {
  if (got.data !== undefined) return children(got.data);
  return got.error === null ? <Loading /> : <ErrorView error={got.error} onRetry={() => void got.refetch()} />;
}

export function UserPrivileges({ of, username }: { of: Of; username: string }) {
  const w = useWords(privilegeWords);
  const path = { ...tenantPath(of), username };
  const options = { quiet: true, refreshes: [USERS] };
  const global = useAction('post', `${USER}/modifyGlobalPrivilege`, options);
  const databases = useAction('post', `${USER}/modifyDbPrivilege`, options);
  const objects = useAction('post', `${USER}/modifyObjectPrivilege`, options);
  const role = useAction('post', `${USER}/modifyRole`, options);
  return (
    <Got got={useGet(USER, { path })}>
      {(user) => (
        <Sections
          of={of}
          now={user}
          global={{ ...global, save: (body) => global.run({ path, body }) }}
          objects={{ ...objects, save: (body) => objects.run({ path, body }) }}
          role={{ ...role, save: (body) => role.run({ path, body }) }}
        >
          <PrivilegeSection<{ dbPrivileges: DbPrivilege[] }>
            title={w.ofDatabases}
            initial={{ dbPrivileges: (user.dbPrivileges ?? []) as DbPrivilege[] }}
            action={databases}
            onSubmit={(body) => databases.run({ path, body })}
          >
            <DatabaseRows of={of} />
          </PrivilegeSection>
        </Sections>
      )}
    </Got>
  );
}

export function RolePrivileges({ of, roleName }: { of: Of; roleName: string }) {
  const path = { ...tenantPath(of), roleName };
  const options = { quiet: true, refreshes: [ROLES] };
  const global = useAction('post', `${ROLE}/modifyGlobalPrivilege`, options);
  const objects = useAction('post', `${ROLE}/modifyObjectPrivilege`, options);
  const role = useAction('post', `${ROLE}/modifyRole`, options);
  return (
    <Got got={useGet(ROLE, { path })}>
      {(one) => (
        <Sections
          of={of}
          now={one}
          without={roleName}
          global={{ ...global, save: (body) => global.run({ path, body }) }}
          objects={{ ...objects, save: (body) => objects.run({ path, body }) }}
          role={{ ...role, save: (body) => role.run({ path, body }) }}
        />
      )}
    </Got>
  );
}
