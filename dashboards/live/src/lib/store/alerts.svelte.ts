/* Rules, routes and how much was sent, while the alerts page is open. Deliveries are the business
   of their own list. */
import { alertsApi, type DeliveryCount, type Route, type Rule } from '../api-alerts';
import { countByRoute, countByRule, sumDay } from '../deliveries';
import { type Problem, toProblem } from '../problem';

const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name);

class AlertsStore {
  rules = $state.raw<Rule[]>([]);
  routes = $state.raw<Route[]>([]);
  counts = $state.raw<DeliveryCount[]>([]);
  loaded = $state(false);
  problem = $state.raw<Problem | null>(null);

  totals = $derived(sumDay(this.counts));
  sentByRule = $derived(countByRule(this.counts));
  sentByRoute = $derived(countByRoute(this.counts));
  routeNames = $derived(new Map(this.routes.map((route) => [route.route_id, route.name])));
  ruleNames = $derived(new Map(this.rules.map((rule) => [rule.rule_id, rule.name])));

  #edits = 0;

  async load(): Promise<void> {
    const edits = this.#edits;
    try {
      const [rules, routes, counts] = await Promise.all([
        alertsApi.listRules(),
        alertsApi.listRoutes(),
        alertsApi.countDeliveries(),
      ]);
      this.counts = counts;
      // What was changed here meanwhile is newer than the lists.
      if (edits === this.#edits) [this.rules, this.routes] = [rules, routes];
      [this.loaded, this.problem] = [true, null];
    } catch (error) {
      // What is on screen stays there: the bar says that the connection is lost.
      if (!this.loaded) this.problem = toProblem(error);
    }
  }

  async loadCounts(): Promise<void> {
    this.counts = await alertsApi.countDeliveries();
  }

  takeRule(rule: Rule): void {
    this.#edits += 1;
    this.rules = [...this.rules.filter((one) => one.rule_id !== rule.rule_id), rule].sort(byName);
  }

  dropRule(rule_id: string): void {
    this.#edits += 1;
    this.rules = this.rules.filter((one) => one.rule_id !== rule_id);
  }

  takeRoute(route: Route): void {
    this.#edits += 1;
    const others = this.routes.filter((one) => one.route_id !== route.route_id);
    this.routes = [...others, route].sort(byName);
  }

  dropRoute(route_id: string): void {
    this.#edits += 1;
    this.routes = this.routes.filter((one) => one.route_id !== route_id);
  }

  /** Names of the rules that tell over a route. */
  listUsers(route_id: string): string[] {
    return this.rules.filter((rule) => rule.routes.includes(route_id)).map((rule) => rule.name);
  }
}

export const alerts = new AlertsStore();
