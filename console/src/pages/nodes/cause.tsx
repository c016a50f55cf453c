// SPDX-License-Identifier: Apache-2.0
import { say, useLanguage } from '../../words';
import { causes, waits } from './words';

/** Why somebody was elected, in words; a cause that this console does not know as the server names it. */
export function Cause({ of }: { of: string | undefined }) {
  const { language } = useLanguage();
  const known = causes[of as keyof typeof causes] as (typeof causes)['DIED'] | undefined;
  return known === undefined ? (of ?? '-') : say(known, language);
}

/** Why a node does not vote, in words. */
export function Wait({ of }: { of: string | undefined }) {
  const { language } = useLanguage();
  const known = waits[of as keyof typeof waits] as (typeof waits)['EVEN'] | undefined;
  return known === undefined ? of : say(known, language);
}
