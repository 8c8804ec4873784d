/* Starts the page: settings before the first paint, then the clock, the socket and the router. */
import { mount } from 'svelte';
import './tokens.css';
import './app.css';
import App from './App.svelte';
import { router } from './lib/router.svelte';
import { settings } from './lib/settings.svelte';
import { clock } from './lib/store/clock.svelte';
import { health } from './lib/store/health.svelte';
import { link } from './lib/store/link.svelte';

settings.start();
clock.start();
router.start();
link.start();
health.start();
mount(App, { target: document.body });
