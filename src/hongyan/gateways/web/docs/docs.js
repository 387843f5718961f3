// The operations of /openapi.json as a page. Everything from the description becomes text nodes, never HTML.

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A schema as a person would write the value: {"seq": integer, "title"?: string}. */
function shape(schema, components, depth = 0, open = []) {
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1);
    return open.includes(name) ? name : shape(components.schemas[name], components, depth, [...open, name]);
  }
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map((choice) => shape(choice, components, depth, open)).join(' | ');
  if (schema.type === 'array') return `[${shape(schema.items ?? {}, components, depth, open)}, ...]`;
  if (!schema.properties) return [schema.type ?? 'any'].flat().join(' | ');
  const pad = '  '.repeat(depth + 1);
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties).map(
    ([name, inner]) => `${pad}"${name}"${required.has(name) ? '' : '?'}: ${shape(inner, components, depth + 1, open)}`);
  return `{\n${rows.join(',\n')}\n${'  '.repeat(depth)}}`;
}

function bodies(title, content, components) {
  return Object.entries(content ?? {}).map(([type, { schema }]) => element('div', {},
    element('h3', {}, title, ' ', element('code', {}, type)),
    element('pre', {}, shape(schema ?? {}, components))));
}

function parameters(list) {
  if (!list?.length) return null;
  return element('table', {}, ...list.map((one) => element('tr', {},
    element('td', {}, element('code', {}, one.name)),
    element('td', {}, `${one.in}${one.required ? '' : ', optional'}`),
    element('td', {}, one.description ?? ''))));
}

function answers(responses, components) {
  return Object.entries(responses).flatMap(([status, response]) => {
    const found = response.$ref ? components.responses[response.$ref.split('/').at(-1)] : response;
    if (response.$ref) return [];
    return [element('h3', {}, `${status} ${found.description}`), ...bodies('', found.content, components)];
  });
}

function errors(responses, components) {
  const rows = Object.entries(responses).filter(([, response]) => response.$ref).map(([status, { $ref }]) => element('tr', {},
    element('td', {}, status), element('td', {}, components.responses[$ref.split('/').at(-1)].description)));
  return rows.length ? element('details', {}, element('summary', {}, 'Errors'), element('table', { className: 'inside' }, ...rows)) : null;
}

function operation(method, path, one, components) {
  return element('details', { id: one.operationId },
    element('summary', {}, element('span', { className: 'method' }, method.toUpperCase()), element('code', {}, path)),
    element('div', { className: 'inside' },
      element('p', {}, one.description ?? one.summary ?? '', one.security?.length === 0 ? ' No token needed.' : ''),
      parameters(one.parameters),
      ...bodies('Body', one.requestBody?.content, components),
      ...answers(one.responses, components),
      errors(one.responses, components)));
}

async function show() {
  const main = document.getElementById('main');
  const { info, paths, components } = await (await fetch('/openapi.json')).json();
  const groups = new Map();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, one] of Object.entries(methods)) {
      const tag = one.tags?.[0] ?? 'other';
      groups.set(tag, [...(groups.get(tag) ?? []), operation(method, path, one, components)]);
    }
  }
  main.replaceChildren(
    element('h1', {}, `${info.title} ${info.version}`),
    element('p', {}, info.description ?? ''),
    element('p', {}, 'The same for programs: ', element('a', { href: '/openapi.json' }, '/openapi.json')),
    ...[...groups].flatMap(([tag, found]) => [element('h2', {}, tag), ...found]));
}

show();
