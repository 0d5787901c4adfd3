-- Quarto's meaning of Markdown for pandoc's writers. What has no meaning here stops the render.

local folder = pandoc.path.directory(PANDOC_SCRIPT_FILE)

local function part(name, ...)
  return assert(loadfile(pandoc.path.join { folder, name .. '.lua' }))(...)
end

local common = part 'common'
local checks = part('checks', common)
local numbers = part('numbers', common, part('blocks', common, checks), checks)
local finish = part('finish', common, numbers)
local is_html, plain = common.is_html, common.plain

-- The div around a cell says nothing to a reader, and pandoc lists no heading that stands in a div.
local function unwrapped(el)
  if el.classes:includes 'woven-cell' then return el.content end
end

function Pandoc(doc)
  local options = doc.meta.renderer
  numbers.numbered = plain(options.numbered) == 'true'
  finish.cites = plain(options.cites) == 'true'
  for _, page in ipairs(options.pages) do finish.pages[plain(page)] = true end
  doc = doc:walk(checks.walk)
  local ids = checks.unique(doc)
  doc.blocks = doc.blocks:walk { Div = unwrapped }
  doc.blocks = doc.blocks:walk(numbers.numbering)
  doc.blocks = doc.blocks:walk { Figure = finish.figure }
  doc = doc:walk(finish.walk)
  finish.check_links(doc, ids)
  if finish.cited then
    local has_place = false
    doc.blocks:walk { Div = function(el) has_place = has_place or el.identifier == 'refs' end }
    if not has_place then
      doc.blocks:insert(pandoc.Header(is_html and 2 or 1, 'References', pandoc.Attr('quarto-bibliography')))
      doc.blocks:insert(pandoc.Div({}, pandoc.Attr('refs')))
    end
  end
  doc.meta.renderer = nil
  return doc
end
