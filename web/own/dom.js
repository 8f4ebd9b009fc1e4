/** An element with attributes and children; text is text, never markup. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== '' || name === 'value') made.setAttribute(name, value)
  made.append(...children.filter((child) => child !== ''))
  return made
}

export function fill(parent, ...children) {
  parent.replaceChildren(...children)
}
