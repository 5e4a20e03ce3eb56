import { testWrongLines } from './wrong-lines.ts'

testWrongLines([
  [
    'machines of nobody',
    12,
    '    placement: { with: dbb }',
    ['12:24 components.web.placement.with: there is nothing with machines that is called dbb (near db)'],
  ],
  [
    'machines of its own',
    12,
    '    placement: { with: web }',
    ['12:24 components.web.placement.with: web cannot share machines with itself'],
  ],
  [
    'machines of one that has none',
    15,
    '    placement: { with: loadBalancer }\n  third: { recipe: postgresql, placement: { with: db } }',
    ['16:51 components.third.placement.with: db shares the machines of loadBalancer: name loadBalancer here too'],
  ],
  [
    'what machines of others are like and where they are',
    15,
    '    placement: { with: web, region: north, labels: { disk: ssd } }\n    machine: { cpu: 2 }',
    [
      '15:29 components.db.placement.region: db is where web is',
      '15:44 components.db.placement.labels: db is where web is',
      '16:5 components.db.machine: db shares the machines of web, which says what they are like',
    ],
  ],
  [
    'an address that moves between machines of others',
    18,
    '    placement: { with: web }\n    replicas: 2\n    floatingAddress: true\n    listeners:',
    [
      '20:22 toolkit.loadBalancer.floatingAddress: an address that moves needs machines of its own: leave `placement.with` out',
    ],
  ],
  [
    'unknown service',
    17,
    '  loadBalacer:',
    ['17:3 toolkit.loadBalacer: there is no toolkit service loadBalacer (near loadBalancer)'],
  ],
  [
    'port used twice',
    19,
    '      - { port: 80, to: web }\n      - { port: 80, to: web, name: b }',
    ['20:17 toolkit.loadBalancer.listeners[1].port: port 80 is used twice'],
  ],
  [
    'traffic to nobody',
    19,
    '      - { port: 80, to: wep }',
    ['19:25 toolkit.loadBalancer.listeners[0].to: there is no component wep (near web)'],
  ],
  [
    'a wrong listener before one that goes nowhere',
    19,
    '      - { port: no, to: web }\n      - { port: 81, to: wep }',
    [
      '19:17 toolkit.loadBalancer.listeners[0].port: must be a number',
      '20:25 toolkit.loadBalancer.listeners[1].to: there is no component wep (near web)',
    ],
  ],
  [
    'one of several without a name',
    18,
    '    - listeners:',
    ['18:7 toolkit.loadBalancer[0]: one of several has a `name` of its own'],
  ],
  [
    'one of several with a name that is taken',
    18,
    '    - name: web\n      listeners:',
    ['18:13 toolkit.loadBalancer[0].name: the name web is taken: components and services share one namespace'],
  ],
])
