type Child = Node | string | null | undefined
type Properties = Readonly<Record<string, unknown>>

/** An element with properties (or attributes, where the name has a dash or is `role` or `part`), listeners (`onclick`) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, properties: Properties = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value as EventListener)
    else if (name.includes('-') || name === 'role' || name === 'part' || name === 'for') element.setAttribute(name, String(value))
    else (element as unknown as Record<string, unknown>)[name] = value
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined))
  return element
}

/** Sets it only where it changes: what is set again is announced again, and laid out again. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function toggle(element: HTMLElement, name: string, on: boolean): void {
  if (element.classList.contains(name) !== on) element.classList.toggle(name, on)
}

/** What colours and shapes mean: a class of an icon and its text, each. */
export const legendOf = (name: string, items: readonly (readonly string[])[] = []): HTMLUListElement =>
  h('ul', { className: 'legend', 'aria-label': name }, ...items.map(([icon, text]) => h('li', {}, h('i', { className: icon, 'aria-hidden': 'true' }, icon === 'lost' ? '×' : ''), text)))
