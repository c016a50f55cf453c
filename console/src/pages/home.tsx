// SPDX-License-Identifier: Apache-2.0
import { Navigate } from 'react-router-dom';

/** The first page of the menu that the reader may see. */
export default function Home() {
  return <Navigate to="/host" replace />;
}
