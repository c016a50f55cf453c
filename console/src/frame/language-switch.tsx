// SPDX-License-Identifier: Apache-2.0
import { Button } from 'antd';

import { useLanguage } from '../words';

export function LanguageSwitch() {
  const { language, change } = useLanguage();
  const other = language === 'en' ? 'zh' : 'en';
  return (
    <Button type="text" id="language" lang={other} onClick={() => change(other)}>
      {other === 'zh' ? '中文' : 'English'}
    </Button>
  );
}
