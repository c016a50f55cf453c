// SPDX-License-Identifier: Apache-2.0
import { useGet } from '../../api/hooks';
import { ErrorView } from '../../parts/error-view';
import { Field } from '../../parts/field';
import { Loading } from '../../parts/loading';
import { useAction } from '../../parts/use-action';
import { useWords } from '../../words';
import {
  choicesOf,
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

const LIST = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/roles';
const ONE = '/api/v2/ob/clusters/{id}/tenants/{tenantId}/roles/{roleName}';

/** What a role lets do in the tenant: three parts, each saved by itself. */
export function RolePrivileges({ of, roleName }: { of: Of; roleName: string }) {
  const w = useWords(privilegeWords);
  const path = { ...tenantPath(of), roleName };
  const got = useGet(ONE, { path });
  const roles = useRoleOptions(of, true).filter((r) => r.value !== roleName);
  const objects = useObjects(of, true);
  const options = { quiet: true, refreshes: [LIST] };
  const global = useAction('post', `${ONE}/modifyGlobalPrivilege`, options);
  const objectsAction = useAction('post', `${ONE}/modifyObjectPrivilege`, options);
  const role = useAction('post', `${ONE}/modifyRole`, options);
  if (got.error !== null && got.data === undefined)
    return <ErrorView error={got.error} onRetry={() => void got.refetch()} />;
  if (got.data === undefined) return <Loading />;
  const one = got.data;
  return (
    <>
      <PrivilegeSection<{ globalPrivileges: string[] }>
        title={w.global}
        initial={{ globalPrivileges: one.globalPrivileges }}
        action={global}
        onSubmit={(body) => global.run({ path, body })}
      >
        <Field name="globalPrivileges" label={w.privileges}>
          <GlobalSelect />
        </Field>
      </PrivilegeSection>
      <PrivilegeSection<{ objects: ObjectChoice[] }>
        title={w.ofObjects}
        help={w.objectsHelp}
        initial={{ objects: choicesOf(one.objectPrivileges) }}
        action={objectsAction}
        onSubmit={(v) =>
          objectsAction.run({
            path,
            body: { objectPrivileges: objectPrivilegesBody(v.objects, objects, one.objectPrivileges) },
          })
        }
      >
        <ObjectRows objects={objects} />
      </PrivilegeSection>
      <PrivilegeSection<{ roles: string[] }>
        title={w.granted}
        initial={{ roles: one.grantedRoles }}
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
