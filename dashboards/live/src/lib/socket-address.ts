/* Where a socket of the page goes. A browser cannot show a key on a socket: it takes a ticket along,
   good for one opening. */
import { api } from './api';
import { access } from './store/access.svelte';

export async function socketAddress(path: string): Promise<string> {
  const address = new URL(path, location.href.replace(/^http/, 'ws'));
  if (access.key) {
    const { ticket, scopes } = await api.getTicket();
    access.learn(scopes);
    address.searchParams.set('ticket', ticket);
  }
  return address.href;
}
