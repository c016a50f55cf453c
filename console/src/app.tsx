// SPDX-License-Identifier: Apache-2.0
import { QueryCache, QueryClient, QueryClientProvider, MutationCache } from '@tanstack/react-query';
import { ConfigProvider } from 'antd';
import english from 'antd/es/locale/en_US';
import chinese from 'antd/es/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { useMemo, useState } from 'react';
import { RouterProvider } from 'react-router-dom';

import { ApiError } from './api/call';
import { goToLogin, router } from './frame/router';
import { theme } from './frame/theme';
import { type Language, LanguageContext, keepLanguage, language as now } from './words';

/** A lost session shows as 401 anywhere. */
function onError(error: unknown) {
  if (error instanceof ApiError && error.status === 401) goToLogin();
}

const client = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      retry: false, // call() repeats what may be repeated
      staleTime: 5000,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always', gcTime: 0 }, // what was sent may hold a password
  },
});

export function App() {
  const [language, setLanguage] = useState<Language>(now());
  const context = useMemo(
    () => ({
      language,
      change: (to: Language) => {
        keepLanguage(to);
        setLanguage(to);
      },
    }),
    [language],
  );
  dayjs.locale(language === 'zh' ? 'zh-cn' : 'en');
  return (
    <LanguageContext.Provider value={context}>
      <ConfigProvider locale={language === 'zh' ? chinese : english} theme={theme} button={{ autoInsertSpace: false }}>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </ConfigProvider>
    </LanguageContext.Provider>
  );
}
