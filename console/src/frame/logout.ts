// SPDX-License-Identifier: Apache-2.0
import { useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useCallback } from 'react';
import { useNavigate } from 'react-router-dom';

import { type ApiError, call } from '../api/call';

/** Ends the session at the server, forgets everything that was read, and shows the login page. */
export function useLogout() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  return useCallback(() => {
    const left = () => {
      void navigate('/login');
      client.clear();
    };
    const failed = (error: ApiError) => (error.status === 401 ? left() : void message.error(error.message));
    call('post', '/api/v2/iam/logout', {}).then(left, failed);
  }, [client, navigate, message]);
}
