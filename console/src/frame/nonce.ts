// SPDX-License-Identifier: Apache-2.0
// The content security policy lets style elements in by the nonce of this page alone. Ant Design makes some of them without asking
// for one (scroll locks, measuring), so every style element made here gets it; markup that somebody smuggles in does not.

export function allowStyles() {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name=nonce]')?.content ?? '';
  const create = document.createElement.bind(document);
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const made = create(name, options);
    if (made instanceof HTMLStyleElement) made.nonce = nonce;
    return made;
  }) as typeof document.createElement;
}
