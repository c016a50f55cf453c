// SPDX-License-Identifier: Apache-2.0
// What the page reads out of an OpenAPI document: operations, example bodies, and schemas as rows of a table.

const MAX_DEPTH = 6;

// Follows $ref and folds allOf into one schema.
export function resolve(spec, schema) {
  if (schema?.$ref) {
    const target = schema.$ref.replace(/^#\//, "").split("/").reduce((at, name) => at?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], spec);
    return resolve(spec, target ?? {});
  }
  if (!schema?.allOf)
    return schema ?? {};
  const folded = { type: "object", properties: {}, required: [] };
  for (const part of schema.allOf.map((p) => resolve(spec, p))) {
    Object.assign(folded.properties, part.properties);
    folded.required.push(...(part.required ?? []));
  }
  return folded;
}

// All operations, in the order of the document: {id, method, path, tag, summary, permission, origin, isAsync, parameters, body, answer}
export function operations(spec) {
  const found = [];
  for (const [path, methods] of Object.entries(spec.paths ?? {})) {
    for (const [method, o] of Object.entries(methods)) {
      if (typeof o !== "object" || !o.responses)
        continue;
      found.push({
        id: o.operationId ?? `${method}-${path}`, method: method.toUpperCase(), path, tag: o.tags?.[0] ?? "", summary: o.summary ?? "",
        permission: o["x-permission"] ?? "", origin: o["x-origin"] ?? "", isAsync: o["x-async"] === true,
        isPublic: Array.isArray(o.security) && o.security.length === 0,
        parameters: (o.parameters ?? []).map((p) => resolve(spec, p)).filter((p) => p.in !== "header").map((p) => ({ ...p, schema: resolve(spec, p.schema) })),
        body: o.requestBody?.content?.["application/json"]?.schema, isBodyRequired: o.requestBody?.required === true,
        answer: o.responses["200"]?.content?.["application/json"]?.schema,
      });
    }
  }
  return found;
}

// Words that all must occur somewhere in the operation.
export function matches(operation, text) {
  const hay = `${operation.method} ${operation.path} ${operation.summary} ${operation.id} ${operation.tag} ${operation.permission}`.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((w) => hay.includes(w));
}

// "string", "integer 1 to 65535", "array of string", "A | B"
export function typeText(spec, schema) {
  const s = resolve(spec, schema);
  if (s.enum)
    return s.enum.join(" | ");
  if (s.type === "array") {
    const limits = s.maxItems ? ` (≤ ${s.maxItems})` : "";
    return `array of ${typeText(spec, s.items)}${limits}`;
  }
  let text = Array.isArray(s.type) ? s.type.join(" | ") : s.type ?? "any";
  if (s.format === "date-time")
    text = "time";
  if (s.minimum !== undefined)
    text += s.maximum !== undefined ? ` ${s.minimum} to ${s.maximum}` : ` ≥ ${s.minimum}`;
  if (s.maxLength !== undefined)
    text += ` (≤ ${s.maxLength})`;
  return text;
}

// A value of the schema's shape: members that must be there, or all of them.
export function example(spec, schema, all, depth = 0) {
  const s = resolve(spec, schema);
  const type = Array.isArray(s.type) ? s.type[0] : s.type;
  if (s.default !== undefined)
    return s.default;
  if (s.enum)
    return s.enum[0];
  switch (type) {
    case "object":
      return exampleObject(spec, s, all, depth);
    case "array":
      return depth < MAX_DEPTH && (all || s.minItems > 0 || depth === 0) ? [example(spec, s.items, all, depth + 1)] : [];
    case "integer":
    case "number":
      return s.minimum ?? 0;
    case "boolean":
      return false;
    case "string":
      return s.format === "date-time" ? new Date().toISOString() : "";
    default:
      return null;
  }
}

function exampleObject(spec, schema, all, depth) {
  const value = {};
  for (const [name, member] of Object.entries(schema.properties ?? {}))
    if (depth < MAX_DEPTH && (all || schema.required?.includes(name)))
      value[name] = example(spec, member, all, depth + 1);
  return value;
}

// Rows of a table: {name, depth, type, isRequired, text}
export function memberRows(spec, schema, depth = 0) {
  const s = resolve(spec, schema);
  if (s.type === "array")
    return memberRows(spec, s.items, depth);
  const rows = [];
  for (const [name, member] of Object.entries(s.properties ?? {})) {
    const m = resolve(spec, member);
    rows.push({ name, depth, type: typeText(spec, m), isRequired: s.required?.includes(name) === true,
                text: m.description ?? member.description ?? "", def: m.default });
    if (depth < MAX_DEPTH && (m.properties || m.items))
      rows.push(...memberRows(spec, m, depth + 1));
  }
  return rows;
}
