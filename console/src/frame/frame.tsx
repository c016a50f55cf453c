// SPDX-License-Identifier: Apache-2.0
// What stands around every page: navigation, language, user menu.
import { UserOutlined } from '@ant-design/icons';
import { Button, Dropdown, Layout, Menu, type MenuProps } from 'antd';
import { Suspense, useMemo } from 'react';
import { Link, Navigate, Outlet, useLocation, useNavigate } from 'react-router-dom';

import { ErrorView } from '../parts/error-view';
import { Loading } from '../parts/loading';
import { type PageRow, routes } from '../routes';
import { useMay, useMe } from '../session';
import { say, useLanguage, useWords } from '../words';
import { common } from '../words.common';
import { LanguageSwitch } from './language-switch';
import logo from './logo.svg';
import { menu } from './menu';
import { useLogout } from './logout';
import { Notices } from './notices';

const words = {
  skip: ['Skip to the page', '跳到正文'],
  navigation: ['Navigation', '导航'],
  profile: ['Profile', '个人设置'],
  keys: ['Access keys', '访问密钥'],
  vault: ['Password box', '密码箱'],
  logout: ['Log out', '退出登录'],
  account: ['Account', '账号'],
} as const;

const all = { ...words, ...common };

const rowOf = (path: string) => routes.find((r) => r.path === path);

/** The entry under which a page stands: the longest path of the menu that begins its address. */
function selected(pathname: string) {
  const paths = menu
    .flatMap((g) => g.paths)
    .filter((p) => pathname === p || (p !== '/' && pathname.startsWith(`${p}/`)));
  return paths.sort((a, b) => b.length - a.length)[0] ?? '';
}

function Navigation() {
  const { language } = useLanguage();
  const { pathname } = useLocation();
  const may = useMay();
  const items = useMemo(() => {
    const entry = (row: PageRow) => ({ key: row.path, label: <Link to={row.path}>{say(row.title, language)}</Link> });
    return menu.flatMap((group): NonNullable<MenuProps['items']> => {
      const rows = group.paths
        .map(rowOf)
        .filter((r) => r !== undefined)
        .filter((r) => r.needs === undefined || may(r.needs));
      const [first] = rows;
      if (first === undefined) return [];
      if (rows.length === 1) return [{ ...entry(first), icon: group.icon }];
      return [{ key: group.key, label: say(group.title, language), icon: group.icon, children: rows.map(entry) }];
    });
  }, [language, may]);
  return (
    <Menu mode="inline" items={items} selectedKeys={[selected(pathname)]} defaultOpenKeys={menu.map((g) => g.key)} />
  );
}

function UserMenu({ name }: { name: string }) {
  const w = useWords(words);
  const may = useMay();
  const navigate = useNavigate();
  const logout = useLogout();
  const items = [
    { key: '/profile', label: w.profile },
    ...(may('PROFILE:*:READ')
      ? [
          { key: '/profile/keys', label: w.keys },
          { key: '/profile/vault', label: w.vault },
        ]
      : []),
    { key: 'logout', label: w.logout },
  ];
  return (
    <Dropdown
      trigger={['click']}
      menu={{ items, onClick: ({ key }) => (key === 'logout' ? logout() : void navigate(key)) }}
    >
      <Button type="text" icon={<UserOutlined />} aria-label={`${w.account}: ${name}`} id="user-menu">
        {name}
      </Button>
    </Dropdown>
  );
}

export default function Frame() {
  const w = useWords(all);
  const me = useMe();
  const { pathname } = useLocation();
  if (me.data?.needChangePassword === true)
    return <Navigate to={`/first-password?back=${encodeURIComponent(pathname)}`} replace />;
  if (me.error !== null && me.data === undefined)
    return me.error.status === 401 ? <Loading /> : <ErrorView error={me.error} onRetry={() => void me.refetch()} />;
  if (me.data === undefined) return <Loading />;
  return (
    <Layout style={{ minHeight: '100vh' }}>
      <a className="skip" href="#main">
        {w.skip}
      </a>
      <Layout.Header
        style={{
          position: 'sticky', // its notices are seen wherever one reads
          top: 0,
          zIndex: 10,
          background: '#fff',
          padding: '0 16px',
          height: 52,
          lineHeight: '52px',
          display: 'flex',
          gap: 12,
          alignItems: 'center',
          borderBottom: '1px solid #e3e5e9',
        }}
      >
        <img src={logo} alt="" width={26} height={26} />
        <Link to="/" style={{ fontWeight: 600, color: 'inherit' }}>
          {w.product}
        </Link>
        <Notices />
        <LanguageSwitch />
        <UserMenu name={me.data.username ?? ''} />
      </Layout.Header>
      <Layout>
        <Layout.Sider theme="light" width={224} style={{ borderRight: '1px solid #e3e5e9' }}>
          <nav aria-label={w.navigation}>
            <Navigation />
          </nav>
        </Layout.Sider>
        <Layout.Content id="main" tabIndex={-1} style={{ padding: 20, minWidth: 0 }}>
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </Layout.Content>
      </Layout>
    </Layout>
  );
}
