// SPDX-License-Identifier: Apache-2.0
import { createRoot } from 'react-dom/client';

import { App } from './app';
import { allowStyles } from './frame/nonce';

allowStyles();
const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App />);
