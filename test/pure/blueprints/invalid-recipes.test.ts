import { testWrongLines } from './wrong-lines.ts'

testWrongLines([
  [
    'unknown recipe',
    14,
    '    recipe: postgress',
    ['14:13 components.db.recipe: there is no recipe postgress (near postgresql)'],
  ],
  [
    'recipe of one’s own',
    14,
    '    recipe: recipes/cache',
    [
      '14:13 components.db.recipe: there is no recipe recipes/cache: one of your own is written ./FOLDER (near ./recipes/cache)',
    ],
  ],
  [
    'recipe outside',
    14,
    '    recipe: ../cache',
    ['14:13 components.db.recipe: must be a shipped recipe, or a folder such as ./recipes/x'],
  ],
  [
    'source outside',
    7,
    '    source: ./a/../../b',
    ['7:13 components.web.source: must be a folder beside the blueprint, such as ./app: no absolute path, no ".."'],
  ],
  [
    'absolute source',
    7,
    '    source: /etc',
    ['7:13 components.web.source: must be a folder beside the blueprint, such as ./app: no absolute path, no ".."'],
  ],
  [
    'neither recipe nor runtime',
    14,
    '',
    [
      '13:3 components.db: takes either `runtime` (an application, with `source` and `start`) or `recipe` (anything else)',
    ],
  ],
  [
    'both',
    14,
    '    recipe: postgresql\n    runtime: nodejs',
    [
      '13:3 components.db: takes either `runtime` (an application, with `source` and `start`) or `recipe` (anything else)',
    ],
  ],
  [
    'an application as recipe',
    8,
    '    recipe: nodejs',
    ['8:5 components.web.recipe: nodejs runs applications: write `runtime: nodejs`'],
  ],
  [
    'a service as runtime',
    14,
    '    runtime: postgresql',
    ['14:5 components.db.runtime: postgresql runs no applications: write `recipe: postgresql`'],
  ],
  ['no start', 9, '', ['6:3 components.web.start: start is required beside `runtime`']],
  [
    'source of no application',
    14,
    '    recipe: postgresql\n    source: ./x',
    ['15:5 components.db.source: only a component with `runtime` takes `source`'],
  ],
  [
    'more than one database',
    14,
    '    recipe: postgresql\n    replicas: 2',
    ['15:15 components.db.replicas: postgresql holds data of its own: it has one machine'],
  ],
  [
    'unknown setting',
    15,
    '    settings: { datbase: x }',
    ['15:17 components.db.settings.datbase: unknown setting datbase (near database)'],
  ],
  [
    'setting of a wrong type',
    15,
    '    settings: { connections: many }',
    ['15:30 components.db.settings.connections: must be of type integer'],
  ],
  [
    'setting beyond its bounds',
    15,
    '    settings: { connections: 1001 }',
    ['15:30 components.db.settings.connections: must be at most 1000'],
  ],
  [
    'setting of no match',
    15,
    '    settings: { database: A-B }',
    ['15:27 components.db.settings.database: must match ^[a-z_]+$'],
  ],
  [
    'setting not allowed',
    15,
    '    settings: { level: replicas }',
    ['15:24 components.db.settings.level: "replicas" is not allowed (near replica)'],
  ],
  [
    'setting within a setting',
    15,
    '    settings: { replica: { hots: x } }',
    [
      '15:17 components.db.settings.replica: the setting host is required',
      '15:28 components.db.settings.replica.hots: unknown setting hots (near host)',
    ],
  ],
  [
    'setting of a format',
    15,
    '    settings: { replica: { host: "a b" } }',
    ['15:34 components.db.settings.replica.host: must be a hostname'],
  ],
  [
    'text where a number is wanted',
    15,
    '    settings: { connections: "1${web.port}" }',
    ['15:30 components.db.settings.connections: must be of type integer, and text with ${...} inside is a string'],
  ],
  [
    'setting required',
    14,
    '    recipe: ./recipes/cache',
    [
      '15:5 components.db.settings: the setting size is required',
      '15:17 components.db.settings.database: unknown setting database',
    ],
  ],
  [
    'a secret in clear',
    15,
    '    settings: { password: hunter2hunter2 }',
    [
      '15:27 components.db.settings.password: a secret is not written into a blueprint: leave it out to have one made, or write ${secrets.NAME}',
    ],
  ],
])
