import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'
import type { ServiceView } from '../../toolkit/contract.ts'
import type { Deployment } from '../schemas/deployment.ts'
import type { Operation } from '../schemas/operation.ts'
import { chartView } from './chart.ts'
import { style } from './style.ts'

/** Seconds after which a page that is open is read anew. */
const refresh = 15

/** No script, nothing from elsewhere, no frame around it; of styles only this one. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export interface DeploymentPage {
  deployment: Deployment
  operations: Operation[]
  /** What services show of themselves, or why they cannot. */
  views: { name: string; view: ServiceView | undefined; failure: string | undefined }[]
}

function page(title: string, body: unknown) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refresh}">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>${body}</body>
</html>`
}

/** Every deployment with a way to its page. */
export function deploymentsPage(names: { name: string; status: string; machines: number }[]) {
  const rows = names.map(
    ({ name, status, machines }) =>
      html`<tr><td><a href="/deployments/${name}">${name}</a></td><td>${status}</td><td>${machines}</td></tr>`,
  )
  return page(
    'Kitbag',
    html`<h1>Deployments</h1><table><thead><tr><th>Name</th><th>Status</th><th>Machines</th></tr></thead><tbody>${rows}</tbody></table>`,
  )
}

/** Topology, health, golden signals, alerts and last operations of one deployment. */
export function deploymentPage({ deployment, operations, views }: DeploymentPage) {
  const { name, status, release } = deployment
  const alerts = views.flatMap(({ view }) => view?.alerts ?? [])
  const charts = views.flatMap(({ view }) => view?.charts ?? [])
  const failures = views.flatMap(({ name: service, failure }) => (failure === undefined ? [] : [{ service, failure }]))
  return page(
    `${name} · Kitbag`,
    html`<h1 class="${status === 'live' ? 'good' : status === 'deploying' ? 'busy' : 'bad'}">${name}</h1>
<p>${status}, release ${release ?? 'none'}${deployment.url ? html`, <a href="${deployment.url}">${deployment.url}</a>` : ''} · <a href="/">all deployments</a></p>
${failures.map(({ service, failure }) => html`<p class="bad">${service}: ${failure}</p>`)}
<h2>Topology</h2>${topology(deployment)}
<h2>Alerts</h2>${alertTable(
      alerts,
      views.some(({ view }) => view !== undefined),
    )}
<h2>Golden signals</h2>
${charts.length > 0 ? html`<div class="charts">${charts.map(chartView)}</div>` : html`<p>No figures: toolkit.monitoring is not deployed, or does not answer.</p>`}
<h2>Last operations</h2>${operationTable(operations)}`,
  )
}

function topology({ components, machines }: Deployment) {
  const boxes = components.map(({ name, recipe }) => {
    const own = machines.filter(({ component }) => component === name)
    const rows = own.map(
      (machine) =>
        html`<li class="${machine.status === 'ready' && !machine.drifted ? 'good' : machine.status === 'failed' ? 'bad' : 'busy'}">${machine.name} <small>${machine.address ?? ''} ${machine.status}${machine.drifted ? ', drifted' : ''}</small></li>`,
    )
    return html`<section data-component="${name}"><h3>${name} <small>${recipe}</small></h3><ul>${rows}</ul></section>`
  })
  return html`<div class="topology">${boxes}</div>`
}

function alertTable(alerts: ServiceView['alerts'], watched: boolean) {
  if (alerts.length === 0) return html`<p>${watched ? 'None.' : 'Nobody watches.'}</p>`
  const rows = alerts.map(
    ({ alert, state, severity, component, machine, summary }) =>
      html`<tr><td class="${state === 'firing' ? 'bad' : 'busy'}">${alert}</td><td>${state}</td><td>${severity}</td><td>${machine || component}</td><td>${summary}</td></tr>`,
  )
  return html`<table><thead><tr><th>Alert</th><th>State</th><th>Severity</th><th>Where</th><th></th></tr></thead><tbody>${rows}</tbody></table>`
}

function operationTable(operations: Operation[]) {
  const rows = operations.map(
    ({ id, kind, status, createdAt, error }) =>
      html`<tr><td>${createdAt}</td><td>${kind}</td><td class="${status === 'succeeded' ? 'good' : status === 'failed' ? 'bad' : 'busy'}">${status}</td><td><small>${id}</small> ${error?.message ?? ''}</td></tr>`,
  )
  return html`<table><tbody>${rows}</tbody></table>`
}
