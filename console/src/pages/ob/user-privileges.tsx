// SPDX-License-Identifier: Apache-2.0
import { useGet } from '../../api/hooks';
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

const LIST = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/users';
const ONE = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/users/{username}';

/** What a user may do in the tenant: four parts, each saved by itself. */
export function UserPrivileges({ of, username }: { of: Of; username: string }) {
  const w = useWords(privilegeWords);
  const path = { ...tenantPath(of), username };
  const got = useGet(ONE, { path });
  const roles = useRoleOptions(of, true);
  const objects = useObjects(of, true);
  const options = { quiet: true, refreshes: [LIST] };
  const global = useAction('post', `${ONE}/modifyGlobalPrivilege`, options);
  const databases = useAction('post', `${ONE}/modifyDbPrivilege`, options);
  const objectsAction = useAction('post', `${ONE}/modifyObjectPrivilege`, options);
  const role = useAction('post', `${ONE}/modifyRole`, options);
  if (got.error !== null && got.data === undefined)
    return <ErrorView error={got.error} onRetry={() => void got.refetch()} />;
  if (got.data === undefined) return <Loading />;
  const user = got.data;
  return (
    <>
      <PrivilegeSection<{ globalPrivileges: string[] }>
        title={w.global}
        initial={{ globalPrivileges: user.globalPrivileges }}
        action={global}
        onSubmit={(body) => global.run({ path, body })}
      >
        <Field name="globalPrivileges" label={w.privileges}>
          <GlobalSelect />
        </Field>
      </PrivilegeSection>
      <PrivilegeSection<{ dbPrivileges: DbPrivilege[] }>
        title={w.ofDatabases}
        initial={{ dbPrivileges: (user.dbPrivileges ?? []) as DbPrivilege[] }}
        action={databases}
        onSubmit={(body) => databases.run({ path, body })}
      >
        <DatabaseRows of={of} />
      </PrivilegeSection>
      <PrivilegeSection<{ objects: ObjectChoice[] }>
        title={w.ofObjects}
        help={w.objectsHelp}
        initial={{ objects: choicesOf(user.objectPrivileges) }}
        action={objectsAction}
        onSubmit={(v) =>
          objectsAction.run({
            path,
            body: { objectPrivileges: objectPrivilegesBody(v.objects, objects, user.objectPrivileges) },
          })
        }
      >
        <ObjectRows objects={objects} />
      </PrivilegeSection>
      <PrivilegeSection<{ roles: string[] }>
        title={w.granted}
        initial={{ roles: user.grantedRoles }}
        action={role}
        onSubmit={(body) => role.run({ path, body })}
      >
        <Field name="roles" label={w.granted}>
          <Several options={roles} />
        </Field>
      </PrivilegeSection>
    </>
  );
}
