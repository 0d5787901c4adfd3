-- References, links, pictures, tables and formulas, once everything has its number.

local common, numbers = ...
local escape = common.escape
local inlines_of = common.inlines_of
local is_html = common.is_html
local nbsp = common.nbsp
local plain = common.plain
local quoted = common.quoted
local raw = common.raw
local raw_inline = common.raw_inline
local refuse = common.refuse

local kind_of, targets = numbers.kind_of, numbers.targets
local finish = { cited = false, pages = {} }
local pictures = 0

local function reference(item)
  local label = item.id:sub(1, 1):lower() .. item.id:sub(2)
  local target = targets[label]
  if target == nil then
    refuse('@' .. item.id, 'the reference @' .. item.id .. ' has no target on this page.')
  end
  if target.unnumbered then
    refuse('@' .. item.id, 'a reference to a section needs `number-sections: true`.')
  end
  local text = target.text
  if item.mode == 'SuppressAuthor' then
    text = target.number
  elseif #item.prefix > 0 then
    text = plain(item.prefix) .. nbsp .. target.number
  end
  return pandoc.Link({ pandoc.Str(text) }, '#' .. label, '', pandoc.Attr('', { 'quarto-xref' }))
end

local function cite(el)
  local ours, out = 0, pandoc.Inlines {}
  for _, item in ipairs(el.citations) do
    if kind_of(item.id:lower()) then ours = ours + 1 end
  end
  if ours == 0 then
    -- Without a bibliography pandoc is spared its citation processor, a third of its time.
    if not finish.cites then
      refuse('@' .. el.citations[1].id, 'the citation key "' .. el.citations[1].id .. '" is in no bibliography.')
    end
    finish.cited = true
    return nil
  end
  if ours < #el.citations then
    refuse('@' .. el.citations[1].id, 'references and citations cannot share one pair of brackets.')
  end
  for i, item in ipairs(el.citations) do
    if i > 1 then out:extend { pandoc.Str ',', pandoc.Space() } end
    out:insert(reference(item))
    if #item.suffix > 0 then out:extend(item.suffix) end
  end
  return out
end

local image_attributes = { ['fig-alt'] = true, alt = true, width = true }

local function image(el)
  if kind_of(el.identifier) then
    refuse('#' .. el.identifier, 'a picture is counted where it has a caption and a paragraph of its own.')
  end
  for name in pairs(el.attributes) do
    if not image_attributes[name] then refuse(el.src, 'the image attribute "' .. name .. '" is not honoured.') end
  end
  local alt = el.attributes['fig-alt'] or el.attributes.alt or plain(el.caption)
  if alt:match '^%s*$' then refuse(el.src, 'the image ' .. el.src .. ' has no alternative text (fig-alt).') end
  if el.src:match '^%a[%w+.-]*:' then
    refuse(el.src, 'an image from outside is not honoured: a page needs no network.')
  end
  local found, mime, content = pcall(pandoc.mediabag.fetch, el.src)
  if not found then refuse(el.src, 'the image ' .. el.src .. ' does not exist.') end
  local width = el.attributes.width
  if is_html then
    el.src = pandoc.mediabag.make_data_uri(mime, content)
    el.attributes['fig-alt'] = nil
    el.attributes.alt = alt
    el.caption = {}
    return el
  end
  pictures = pictures + 1
  local name = 'picture-' .. pictures .. '.' .. el.src:match '[^.]+$'
  local file = assert(io.open(name, 'wb'))
  file:write(content)
  file:close()
  return raw_inline('#image(' .. quoted(name) .. ', alt: ' .. quoted(alt) ..
                    (width and ', width: ' .. width or '') .. ')')
end

-- The alternative text of a figure's picture is its own: a caption repeats nothing to who cannot see.
function finish.figure(el)
  return el:walk {
    Image = function(inner)
      if not (inner.attributes['fig-alt'] or inner.attributes.alt) then
        refuse(inner.src, 'the image ' .. inner.src .. ' has no alternative text (fig-alt).')
      end
    end,
  }
end

local function link(el)
  if el.target:match '^#' or el.target == '' then return nil end
  local scheme = el.target:match '^(%a[%w+.-]*):'
  if scheme then
    if scheme ~= 'https' and scheme ~= 'http' and scheme ~= 'mailto' then
      refuse(el.target, 'a link of the kind "' .. scheme .. ':" is not honoured.')
    end
    return nil
  end
  local page, rest = el.target:match '^([^#]+%.qmd)(.*)$'
  if page then
    page = page:gsub('^%./', '')
    if not finish.pages[page] then refuse(el.target, 'the link to ' .. page .. ' names no page of this site.') end
    el.target = page:gsub('%.qmd$', '.html') .. rest
    return el
  end
end

-- How wide a table would be, in characters, with every cell broken into lines of some 16 characters. Words
-- break at underscores, slashes and hyphens too (page.typ).
local function breadth(el)
  local widths = {}
  local function see(rows)
    for _, row in ipairs(rows) do
      for i, cell in ipairs(row.cells) do
        local text = plain(cell.contents)
        local wanted = math.min(utf8.len(text) or #text, 16)
        for word in text:gmatch '[^%s_/-]+' do wanted = math.max(wanted, utf8.len(word) or #word) end
        widths[i] = math.max(widths[i] or 0, wanted)
      end
    end
  end
  see(el.head.rows)
  for _, body in ipairs(el.bodies) do see(body.body) end
  local sum = 0
  for _, width in ipairs(widths) do sum = sum + width + 2 end
  return sum
end

-- A cell of prose keeps a width at which it can be read; its table scrolls instead.
local function mark_long(rows)
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      if (utf8.len(plain(cell.contents)) or 0) > 28 then cell.classes:insert 'long' end
    end
  end
end

local function table_block(el)
  for name in pairs(el.attributes) do
    refuse(name, 'the table attribute "' .. name .. '" is not honoured.')
  end
  for i, spec in ipairs(el.colspecs) do el.colspecs[i] = { spec[1] == 'AlignDefault' and 'AlignLeft' or spec[1], nil } end
  for _, body in ipairs(el.bodies) do mark_long(body.body) end
  for _, row in ipairs(el.head.rows) do
    for _, cell in ipairs(row.cells) do cell.attributes.scope = 'col' end
  end
  if is_html then
    local caption = inlines_of(el.caption)
    local name = #caption > 0 and plain(caption) or 'Table'
    if #caption > 0 then
      el.caption.long = { pandoc.Plain { pandoc.Span(caption, pandoc.Attr('', { 'caption-text' })) } }
    end
    return { raw('<div class="table-scroll" role="region" tabindex="0" aria-label="' .. escape(name) .. '">'),
             el, raw '</div>' }
  end
  local size = math.max(6.5, math.min(9.5, math.floor(2 * 9.5 * 100 / breadth(el)) / 2))
  return { raw('#block(width: 100%, breakable: true)[#set text(size: ' .. size .. 'pt)'), el, raw ']' }
end

-- PDF/UA wants words for a formula: its own TeX, which is how it is read out of a source.
local function formula(el)
  if is_html then return nil end
  local written = pandoc.write(pandoc.Pandoc { pandoc.Plain { el } }, 'typst'):gsub('%s+$', '')
  local words_for_it = el.text:gsub('%s+', ' '):gsub('^ ', ''):gsub(' $', '')
  return raw_inline('#[#set math.equation(alt: ' .. quoted(words_for_it) .. ');' .. written .. ']')
end

-- Attributes in braces that pandoc attached to nothing stand in the text.
local function text(el)
  if el.text:match '^{[#.]%w' then refuse(el.text, 'the attributes ' .. el.text .. ' belong to nothing.') end
end

local function code_block(el)
  for name in pairs(el.attributes) do
    refuse(name .. '=', 'the attribute "' .. name .. '" of a code block is not honoured.')
  end
end

local function span(el)
  for _, class in ipairs(el.classes) do
    if class:match '^column%-' or class:match '^content%-' or class == 'aside' or class == 'kbd' then
      refuse('.' .. class, 'the class "' .. class .. '" is not honoured.')
    end
  end
end

finish.walk = {
  CodeBlock = code_block,
  Span = span,
  Str = text,
  Cite = cite,
  Math = formula,
  Image = image,
  Link = link,
  Table = table_block,
}

-- Labels that a link inside the page may go to.
function finish.check_links(doc)
  local ids = {}
  doc.blocks:walk {
    Block = function(el) if el.identifier and el.identifier ~= '' then ids[el.identifier] = true end end,
    Inline = function(el) if el.identifier and el.identifier ~= '' then ids[el.identifier] = true end end,
  }
  doc.blocks:walk {
    Link = function(el)
      local id = el.target:match '^#(.+)$'
      if id and not ids[id] and not targets[id] then refuse(el.target, 'the link to ' .. el.target .. ' has no target.') end
    end,
  }
end

return finish
