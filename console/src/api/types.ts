// SPDX-License-Identifier: Apache-2.0
// What the API takes and gives, by the types that `make console-types` makes of the server's OpenAPI document (schema.d.ts).
import type { components, paths } from './schema';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
/** Paths that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];

type Operation<M extends Method, P extends keyof paths> = paths[P][M];
type Json<T> = T extends { content: { 'application/json': infer J } } ? J : undefined;

/** The `data` of a reply; the whole reply where there is no envelope. */
export type Data<M extends Method, P extends keyof paths> =
  Operation<M, P> extends { responses: { 200: infer R } } ? (Json<R> extends { data: infer D } ? D : Json<R>) : never;
/** One of the `contents` of a listing. */
export type Row<P extends PathOf<'get'>> = Data<'get', P> extends { contents?: (infer T)[] } ? T : never;
export type Query<P extends PathOf<'get'>> =
  Operation<'get', P> extends { parameters: { query?: infer Q } } ? Q : never;
export type Body<M extends Method, P extends keyof paths> =
  Operation<M, P> extends { requestBody?: infer B } ? Json<NonNullable<B>> : undefined;
export type PathParams<M extends Method, P extends keyof paths> =
  Operation<M, P> extends { parameters: { path: infer X } } ? X : undefined;

export type Page = components['schemas']['Page'];

/** What a call needs besides method and path; path parameters and body cannot be left out where the operation has them. */
export type Input<M extends Method, P extends keyof paths> = (PathParams<M, P> extends undefined
  ? { path?: undefined }
  : { path: PathParams<M, P> }) & {
  query?: Operation<M, P> extends { parameters: { query?: infer Q } } ? Q : undefined;
  body?: Body<M, P>;
  /** Instead of a body, where an operation takes multipart/form-data. */
  parts?: FormData;
};

type HeadersOf<M extends Method, P extends keyof paths> =
  Operation<M, P> extends { parameters: { header?: infer H } } ? NonNullable<H> : never;

/** Changes for which the server keeps no key: "post /api/v2/iam/login". */
export type Unkeyed = {
  [M in Exclude<Method, 'get'>]: {
    [P in PathOf<M>]: [HeadersOf<M, P>] extends [never] ? `${M} ${P}` : never;
  }[PathOf<M>];
}[Exclude<Method, 'get'>];
