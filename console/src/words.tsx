// SPDX-License-Identifier: Apache-2.0
// Two languages. A page keeps its words beside it, as pairs, so a text without its translation does not compile:
//   const words = { title: ['Hosts', '主机'] } satisfies Words;     const w = useWords(words);     <h1>{w.title}</h1>
import { createContext, useContext, useMemo } from 'react';

export type Pair = readonly [en: string, zh: string];
export type Words = Record<string, Pair>;
export type Language = 'en' | 'zh';

const KEY = 'ocp.language';

function preferred(): Language {
  const kept = localStorage.getItem(KEY);
  return (kept ?? navigator.language).startsWith('zh') ? 'zh' : 'en';
}

let current: Language = preferred();

/** For code outside of components: the API client. */
export const language = () => current;

export function keepLanguage(to: Language) {
  current = to;
  localStorage.setItem(KEY, to);
  document.documentElement.lang = to;
}
document.documentElement.lang = current;

export const LanguageContext = createContext<{ language: Language; change: (to: Language) => void }>({
  language: current,
  change: keepLanguage,
});

export const useLanguage = () => useContext(LanguageContext);

export const say = (pair: Pair, to: Language = current) => pair[to === 'zh' ? 1 : 0];

export function useWords<T extends Words>(words: T): Record<keyof T, string> {
  const { language: to } = useLanguage();
  return useMemo(
    () =>
      Object.fromEntries(Object.entries(words).map(([name, pair]) => [name, say(pair, to)])) as Record<keyof T, string>,
    [words, to],
  );
}

/** "{0} of {1}" with its arguments. */
export const fill = (text: string, ...values: (string | number)[]) =>
  text.replace(/\{(\d)\}/g, (_, i: string) => String(values[Number(i)] ?? ''));
