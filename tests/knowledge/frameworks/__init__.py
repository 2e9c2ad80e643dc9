"""Small applications, one for a framework, whose plain functions note where they run.

Each module has `use(spies)`. A note's name is an entry of the catalogue: `quart.Quart.get`,
`fastapi.FastAPI(on_startup)` for an argument, `fastapi.FastAPI.get/reads` for another of its
places, `tornado.web.RequestHandler.get` for a method that subclasses override.
"""
