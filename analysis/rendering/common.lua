-- What the parts of the filter share. Each part is a file that filter.lua loads.

local common = { is_html = FORMAT:match 'html' ~= nil, nbsp = '\u{a0}' }

-- Stops the render. `wanted` is a piece of the source, from which convert.py finds the line.
function common.refuse(wanted, message)
  error('@@' .. wanted .. '@@' .. message .. '@@', 0)
end

function common.raw(text)
  return pandoc.RawBlock(common.is_html and 'html' or 'typst', text)
end

function common.raw_inline(text)
  return pandoc.RawInline(common.is_html and 'html' or 'typst', text)
end

-- Text for HTML, in an attribute too.
function common.escape(text)
  return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }))
end

-- A Typst string literal.
function common.quoted(text)
  return '"' .. text:gsub('[\\"]', '\\%0'):gsub('\n', ' ') .. '"'
end

common.plain = pandoc.utils.stringify

function common.with_prefix(prefix, inlines)
  local out = pandoc.Inlines { pandoc.Str(prefix) }
  if #inlines > 0 then
    out:insert(pandoc.Space())
    out:extend(inlines)
  end
  return out
end

function common.caption_of(inlines)
  return { long = pandoc.Blocks { pandoc.Plain(inlines) } }
end

function common.inlines_of(caption)
  return pandoc.utils.blocks_to_inlines(caption.long)
end

return common
