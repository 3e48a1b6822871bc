// Making a user: the record, its roles, a first password. Three requests in order; when one is refused, what was done stays
// done, and trying again goes on from there.

import { actKey, call } from "~/api/client";
import { refusalOf } from "~/api/problem";
import type { Json } from "~/api/types.gen";

/** How far the making of one user has come. */
export type Making = { user: string; given: Set<string>; once: string };

export function beginMaking(): Making {
  return { user: "", given: new Set(), once: actKey() };
}

export async function makeUser(making: Making, values: { [field: string]: Json }, roles: string[], password: string): Promise<string> {
  try {
    if (!making.user) making.user = (await call("record_create", { params: { object: "user" }, body: values, once: making.once })).id;
    for (const role of roles.filter((name) => !making.given.has(name))) {
      await call("role_grant", { params: { user: making.user }, body: { role } });
      making.given.add(role);
    }
    await call("password_set", { params: { user: making.user }, body: { password } });
    return making.user;
  } catch (error) {
    // Other values under the same key would be refused.
    if (refusalOf(error).status < 500) making.once = actKey();
    throw error;
  }
}
