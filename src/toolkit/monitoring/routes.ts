import { metricRoutes } from './metric-routes.ts'

export const routes = [...metricRoutes]
