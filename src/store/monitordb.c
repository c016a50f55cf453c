/* SPDX-License-Identifier: Apache-2.0 */
/* Schema of MonitorDB. Append only. */
#include "src/store/migrate.h"

#define STEPS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define TABLE_END ") DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

const struct migration monitordb_migrations[] = {
    { 1, "properties of the monitoring store",
      STEPS("CREATE TABLE monitor_property (name VARCHAR(128) NOT NULL, value VARCHAR(1024) NOT NULL, updated_at DATETIME(6) NOT NULL, "
            "PRIMARY KEY (name)" TABLE_END) },
    { 0 },
};
