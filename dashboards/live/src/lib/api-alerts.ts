/* The questions of the alerts page. */
import type { components } from '../../generated/api';
import { client, read } from './http';

type Schemas = components['schemas'];

export type Rule = Schemas['AlertRuleOut'];
export type RuleBody = Schemas['AlertRuleIn'];
export type Conditions = Schemas['AlertConditionIn'];
export type Preview = Schemas['AlertPreviewOut'];
export type Route = Schemas['AlertRouteOut'];
export type RouteBody = Schemas['AlertRouteIn'];
export type RouteChange = Schemas['AlertRouteChangeIn'];
export type Hours = Schemas['Hours'];
export type Delivery = Schemas['DeliveryOut'];
export type DeliveryDetail = Schemas['DeliveryDetailOut'];
export type DeliveryCount = Schemas['DeliveryCountOut'];
export type Tuning = Schemas['TuningOut'];
export type TuningBody = Schemas['TuningIn'];

/** There are at most 200 rules and 200 routes, and this many fit into one list. */
const ALL = 200;

export interface DeliveryFilter {
  state?: Delivery['state'];
  rule_id?: string;
  route_id?: string;
  moment_id?: string;
  limit: number;
  cursor?: string;
}

export const alertsApi = {
  listRules: async () =>
    (await read(client.GET('/api/v1/alert-rules', { params: { query: { limit: ALL } } }))).data,

  createRule: (body: RuleBody) => read(client.POST('/api/v1/alert-rules', { body })),

  changeRule: (rule_id: string, body: Partial<RuleBody>) =>
    read(client.PATCH('/api/v1/alert-rules/{rule_id}', { params: { path: { rule_id } }, body })),

  deleteRule: (rule_id: string) =>
    done(client.DELETE('/api/v1/alert-rules/{rule_id}', { params: { path: { rule_id } } })),

  preview: (body: Conditions, signal?: AbortSignal) =>
    read(client.POST('/api/v1/alert-previews', { body, signal })),

  listRoutes: async () =>
    (await read(client.GET('/api/v1/alert-routes', { params: { query: { limit: ALL } } }))).data,

  createRoute: (body: RouteBody) => read(client.POST('/api/v1/alert-routes', { body })),

  changeRoute: (route_id: string, body: RouteChange) =>
    read(client.PATCH('/api/v1/alert-routes/{route_id}', { params: { path: { route_id } }, body })),

  deleteRoute: (route_id: string) =>
    done(client.DELETE('/api/v1/alert-routes/{route_id}', { params: { path: { route_id } } })),

  testRoute: (route_id: string) =>
    read(client.POST('/api/v1/alert-routes/{route_id}/test', { params: { path: { route_id } } })),

  listDeliveries: (query: DeliveryFilter, signal?: AbortSignal) =>
    read(client.GET('/api/v1/deliveries', { params: { query }, signal })),

  getDelivery: (delivery_id: string) =>
    read(client.GET('/api/v1/deliveries/{delivery_id}', { params: { path: { delivery_id } } })),

  retryDelivery: (delivery_id: string) =>
    read(
      client.POST('/api/v1/deliveries/{delivery_id}/retry', { params: { path: { delivery_id } } }),
    ),

  countDeliveries: async () => (await read(client.GET('/api/v1/deliveries/counts'))).data,
};

/** An answer without a body is still one: null stands for it where nothing went wrong. */
function done(asked: Promise<{ error?: unknown; response: Response }>): Promise<unknown> {
  return read(
    asked.then(({ error, response }) => ({
      data: response.ok ? null : undefined,
      error,
      response,
    })),
  );
}
