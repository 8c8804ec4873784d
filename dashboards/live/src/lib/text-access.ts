/* The words around keys: what asks for one, and where it is kept. */

export const access = {
  title: { missing: 'This server asks for a key', refused: 'The key is no longer good' },
  why: {
    missing: 'Keys say who may read here. Yours begins with tk_ and needs the scope read.',
    refused:
      'It was revoked or replaced, or it has expired. Nothing stored is lost; another key shows it again.',
  },
  make: 'Whoever runs Telemetra makes one in a terminal on its machine:',
  command: 'telemetra keys create "my browser" --scope read',
  copy: 'Copy command',
  copied: 'Copied',
  label: 'Key',
  placeholder: 'tk_…',
  remember: 'Remember on this device',
  until: {
    session: 'Kept until this tab is closed, and sent to this server only.',
    device: 'Kept in this browser until you forget it. Whoever uses this browser can read with it.',
  },
  use: 'Use key',
  checking: 'Checking…',
  notKey: 'A key begins with tk_ and has no spaces. Copy the whole of it.',
  wrong: 'This key is not good. It may be mistyped, revoked or expired.',
  lacking: 'This key may not read. It needs the scope read; make one with --scope read.',
  open: 'Key of this page',
  keptTitle: (name: string) => `Reading with ${name}_…`,
  keptSession: 'The key is kept until this tab is closed.',
  keptDevice: 'The key is kept on this device.',
  forget: 'Forget key',
  close: 'Close',
};
